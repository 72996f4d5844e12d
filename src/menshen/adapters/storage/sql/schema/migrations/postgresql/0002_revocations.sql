-- What ended, told to every node, and the mark of the oldest program that may use the schema.
-- Only adds: a program of schema 0001 goes on beside it.
-- Triggers tell what ended, its logouts included, whoever made them. A row without digest and account means everything.
-- The transaction's own number lets readers tell which rows they cannot have seen yet, in whatever order transactions
-- commit. (docs/contracts/core.md section 3.3.)

ALTER TABLE installation ADD COLUMN oldest_program TEXT DEFAULT '0001' NOT NULL;

CREATE TABLE revocations (
    id BIGSERIAL NOT NULL, 
    xid BIGINT NOT NULL, 
    at BIGINT DEFAULT 0 NOT NULL, 
    token_digest BYTEA, 
    account_number BIGINT, 
    PRIMARY KEY (id)
);

CREATE INDEX ix_revocations_xid ON revocations (xid);

CREATE FUNCTION menshen_tell_revoked(digest bytea, account bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO revocations (xid, at, token_digest, account_number)
  VALUES (pg_current_xact_id()::text::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, digest, account)
$$;

CREATE FUNCTION menshen_sessions_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM gone) > 1000 THEN
    PERFORM menshen_tell_revoked(NULL, NULL);
  ELSE
    -- Those that expired long ago are refused by their own instants.
    PERFORM menshen_tell_revoked(token_digest, NULL) FROM gone
      WHERE expires_at > (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 3600000;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION menshen_session_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM menshen_tell_revoked(OLD.token_digest, NULL);
  RETURN NULL;
END $$;

CREATE FUNCTION menshen_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM menshen_tell_revoked(NULL, OLD.number);
  RETURN NULL;
END $$;

CREATE FUNCTION menshen_epoch_raised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM menshen_tell_revoked(NULL, NULL);
  RETURN NULL;
END $$;

CREATE TRIGGER menshen_sessions_deleted AFTER DELETE ON sessions
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION menshen_sessions_deleted();

CREATE TRIGGER menshen_session_changed AFTER UPDATE ON sessions FOR EACH ROW
  WHEN (OLD.token_digest IS DISTINCT FROM NEW.token_digest OR OLD.epoch IS DISTINCT FROM NEW.epoch
    OR NEW.expires_at < OLD.expires_at OR NEW.ends_at < OLD.ends_at)
  EXECUTE FUNCTION menshen_session_changed();

CREATE TRIGGER menshen_account_changed AFTER UPDATE ON accounts FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.roles IS DISTINCT FROM NEW.roles)
  EXECUTE FUNCTION menshen_account_changed();

CREATE TRIGGER menshen_epoch_raised AFTER UPDATE ON installation FOR EACH ROW
  WHEN (OLD.epoch IS DISTINCT FROM NEW.epoch)
  EXECUTE FUNCTION menshen_epoch_raised();
