-- Which heads of hashes stand on accounts, those that stand there already included.
-- Only adds: a program of schema 0004 goes on beside it. The walk over the accounts finds what that one brings in.

CREATE TABLE hash_heads (
    head TEXT NOT NULL, 
    noted_at INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (head)
)
 STRICT;

INSERT INTO hash_heads (head)
SELECT DISTINCT substr(password_hash, 1, 7) FROM accounts WHERE password_hash GLOB '$2[abxy]$[0-9][0-9]$*'
UNION
SELECT DISTINCT substr(password_hash, 1,
    instr(password_hash, ',p=') + 2 + instr(substr(password_hash, instr(password_hash, ',p=') + 3), '$'))
  FROM accounts
  WHERE password_hash GLOB '$argon2i*$v=19$m=[0-9]*,t=[0-9]*,p=[0-9]$*'
     OR password_hash GLOB '$argon2i*$v=19$m=[0-9]*,t=[0-9]*,p=[0-9][0-9]$*';
