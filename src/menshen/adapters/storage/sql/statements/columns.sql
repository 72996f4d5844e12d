-- Lists of columns that several statements share, in the order of the records (rows.py; a test holds the two together).
-- `{account}` in a statement stands for the list, `{accounts.account}` puts a table's name before each column, and
-- `{:account}` names a parameter for each.

-- columns: account
public_id, username, username_shown, phone, phone_verified, email, email_verified, status, roles,
password_hash, password_version, password_changed_at, created_at, updated_at,
login_at, login_ip, previous_login_at, previous_login_ip, second_step, factors_version, closes_at,
nickname, avatar_url, city, province, country, gender, birthday, description, level, major,
real_name_verified, refund_rate, dispute_rate, serve_num, work_num

-- columns: session
session_id, account_number, app_id, dialect, platform, slot, device_id, device_model, device_name, ip,
created_at, seen_at, proved_at, expires_at, ends_at, sliding_ms, refresh_expires_at,
refreshes, refresh_paid_until, level, methods, second_at

-- columns: app
name, appkey, secret_sealed, cookie_prefix, cookie_domain, host_only_cookies, app_name, business_type, host,
captcha, hardened, device_sign, session_rule, register, auto_register, exist_calls, sign_required, mirror_status,
password_min, sms_per_day, disabled, captcha_vendor, second_factor, required_for_roles, factors, sms_step,
trusted_days, enrol_by, second_factor_since

-- columns: event
tag, at, account_number, app_id, dialect, ip, subject, reason, session_id, request_id

-- columns: message
message_id, body_sealed, channel, template, created_at, sent_at, failures, next_try_at, sender, tried_at, verdict,
asked, receipt, parts, outcome

-- columns: passkey
passkey_id, account_number, credential, public_key, rp_id, name, counter, synced, backed_up, step_only, transports,
created_at, used_at

-- columns: pending_login
ticket, account_number, app_id, dialect, platform, began, methods, password_version, factors_version, network, device,
in_browser, replaces, cookie, enroll, phone_due, created_at, expires_at, tries

-- columns: trusted_device
trust_id, account_number, app_id, device, name, ip, created_at, expires_at, used_at

-- columns: security_link
account_number, session_id, mailbox, created_at, expires_at, used_at
