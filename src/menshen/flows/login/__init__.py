"""Log users in. Only `finish` opens sessions."""
