"""Define the schema: its migrations, its catalogue, and the copy from one database to the other.

Times are epoch milliseconds in 64-bit integers, booleans 0 and 1, digests and sealed values bytes. Columns that hold
secrets, and how: `password_hash` (argon2id text); `token_digest`, `refresh_digest` and `digest` (SHA-256 of 128 random
bits); `code_mac` and `answer_mac` (HMAC under a key outside the database); `secret_sealed` and `body_sealed`
(authenticated encryption under the same). `captcha_nonces` holds what is good once: solved challenges, and digests of
hmac device signs and of the tokens of captcha vendors. `hash_heads` says what stored hashes may cost, so that refusals
cost as much as the most expensive.
`imported_accounts` and `imported_tokens` make an import come once. On PostgreSQL triggers write `revocations`,
which earlier programs read (decision 0049).
"""
