-- SMS codes by prefix and day.
-- CAST: PostgreSQL sums integers into a decimal. It is made an integer again where it is still exact.

-- name: count
INSERT INTO sms_traffic (day, prefix, country, sent, verified) VALUES (:day, :prefix, :country, :sent, :verified)
ON CONFLICT (day, prefix) DO UPDATE
SET sent = sms_traffic.sent + excluded.sent, verified = sms_traffic.verified + excluded.verified;

-- name: of_prefix
SELECT CAST(COALESCE(SUM(sent), 0) AS BIGINT) AS all_sent, CAST(COALESCE(SUM(verified), 0) AS BIGINT) AS all_verified
FROM sms_traffic
WHERE day >= :since AND prefix = :prefix;

-- name: list_all
SELECT prefix, MAX(country) AS country,
  CAST(COALESCE(SUM(sent), 0) AS BIGINT) AS all_sent, CAST(COALESCE(SUM(verified), 0) AS BIGINT) AS all_verified
FROM sms_traffic
WHERE day >= :since
GROUP BY prefix
ORDER BY all_sent DESC, prefix LIMIT :most;

-- name: charge_sender
-- What a sender handed over a day (UTC), over all nodes. A limit of 0 is none.
INSERT INTO sender_days (sender, day, messages, parts, cost_micros)
SELECT CAST(:sender AS TEXT), CAST(:day AS BIGINT), 1, 1, CAST(:cost_micros AS BIGINT)
WHERE CAST(:cost_per_day AS BIGINT) = 0 OR CAST(:cost_micros AS BIGINT) <= CAST(:cost_per_day AS BIGINT)
ON CONFLICT (sender, day) DO UPDATE SET messages = sender_days.messages + 1, parts = sender_days.parts + 1,
  cost_micros = sender_days.cost_micros + excluded.cost_micros
WHERE (CAST(:per_day AS BIGINT) = 0 OR sender_days.messages < CAST(:per_day AS BIGINT))
  AND (CAST(:cost_per_day AS BIGINT) = 0 OR sender_days.cost_micros + excluded.cost_micros <= CAST(:cost_per_day AS BIGINT))
RETURNING messages, parts, cost_micros;

-- name: adjust_sender
UPDATE sender_days SET messages = messages + :messages, parts = parts + :parts, cost_micros = cost_micros + :cost_micros
WHERE sender = :sender AND day = :day;

-- name: senders_of_day
SELECT sender, messages, parts, cost_micros FROM sender_days WHERE day = :day ORDER BY sender;
