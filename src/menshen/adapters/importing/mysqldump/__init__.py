"""Read dumps of mysqldump and mariadb-dump."""
