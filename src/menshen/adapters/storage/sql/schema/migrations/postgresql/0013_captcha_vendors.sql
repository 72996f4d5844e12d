-- The captcha vendor of an app, by its name in the settings; '' for the built-in test.
-- Only adds: a program of an earlier schema goes on beside it, and asks each app for the built-in test.

ALTER TABLE apps ADD COLUMN captcha_vendor TEXT DEFAULT '' NOT NULL;
