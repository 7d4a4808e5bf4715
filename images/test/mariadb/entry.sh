#!/bin/sh
# Makes the database MARIADB_DATABASE and its user MARIADB_USER with MARIADB_PASSWORD on an empty volume, then serves it.
set -eu
: "${MARIADB_DATABASE:=test}" "${MARIADB_USER:=test}" "${MARIADB_PASSWORD:?set MARIADB_PASSWORD}"
data=/data/mariadb
if [ ! -d "$data/mysql" ]; then
  rm -rf "$data" "$data.new"
  mkdir -p "$data.new"
  mariadb-install-db --no-defaults --datadir="$data.new" --skip-test-db --auth-root-authentication-method=socket >&2
  mv "$data.new" "$data"
  sync
fi
# Read at every start: what exists stays as it is.
cat > /tmp/init.sql <<SQL
CREATE DATABASE IF NOT EXISTS \`$MARIADB_DATABASE\`;
CREATE USER IF NOT EXISTS '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
SQL
exec mariadbd --no-defaults --datadir="$data" --init-file=/tmp/init.sql --socket=/tmp/mariadb.sock --pid-file=/tmp/mariadb.pid \
  --bind-address=0.0.0.0 --port=3306 --skip-name-resolve --log-warnings=1 --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=1 "$@"
