"""A reader of dumps that mysqldump and mariadb-dump write."""
