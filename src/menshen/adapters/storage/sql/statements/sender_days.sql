-- What each sender handed over a day (UTC), over all nodes. A limit of 0 is none.

-- name: charge
INSERT INTO sender_days (sender, day, messages, parts, cost_micros)
SELECT CAST(:sender AS TEXT), CAST(:day AS BIGINT), 1, 1, CAST(:cost_micros AS BIGINT)
WHERE CAST(:cost_per_day AS BIGINT) = 0 OR CAST(:cost_micros AS BIGINT) <= CAST(:cost_per_day AS BIGINT)
ON CONFLICT (sender, day) DO UPDATE SET messages = sender_days.messages + 1, parts = sender_days.parts + 1,
  cost_micros = sender_days.cost_micros + excluded.cost_micros
WHERE (CAST(:per_day AS BIGINT) = 0 OR sender_days.messages < CAST(:per_day AS BIGINT))
  AND (CAST(:cost_per_day AS BIGINT) = 0 OR sender_days.cost_micros + excluded.cost_micros <= CAST(:cost_per_day AS BIGINT))
RETURNING messages, parts, cost_micros;

-- name: adjust
UPDATE sender_days SET messages = messages + :messages, parts = parts + :parts, cost_micros = cost_micros + :cost_micros
WHERE sender = :sender AND day = :day;

-- name: of_day
SELECT sender, messages, parts, cost_micros FROM sender_days WHERE day = :day ORDER BY sender;
