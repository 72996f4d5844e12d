-- Which heads of hashes stand on accounts, those that stand there already included.
-- Only adds: a program of schema 0004 goes on beside it. The walk over the accounts finds what that one brings in.

CREATE TABLE hash_heads (
    head TEXT NOT NULL, 
    noted_at BIGINT DEFAULT 0 NOT NULL, 
    PRIMARY KEY (head)
);

INSERT INTO hash_heads (head)
SELECT DISTINCT substring(password_hash from '^(\$2[abxy]\$[0-9]{2}\$|\$argon2id?\$v=19\$m=[0-9]{1,7},t=[0-9]{1,2},p=[0-9]{1,2}\$)') FROM accounts WHERE password_hash ~ '^(\$2[abxy]\$[0-9]{2}\$|\$argon2id?\$v=19\$m=[0-9]{1,7},t=[0-9]{1,2},p=[0-9]{1,2}\$)';
