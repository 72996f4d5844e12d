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
