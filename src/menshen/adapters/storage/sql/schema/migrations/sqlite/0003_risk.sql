-- How hard the test was that earned a captcha pass, and how many SMS codes come back.
-- Only adds: a program of schema 0002 goes on beside it, and its passes count as the easiest.

ALTER TABLE captcha_passes ADD COLUMN difficulty INTEGER DEFAULT 1 NOT NULL;

CREATE TABLE sms_traffic (
    day INTEGER NOT NULL, 
    prefix TEXT NOT NULL, 
    country TEXT DEFAULT '' NOT NULL, 
    sent INTEGER DEFAULT 0 NOT NULL, 
    verified INTEGER DEFAULT 0 NOT NULL, 
    PRIMARY KEY (day, prefix)
)
 STRICT;
