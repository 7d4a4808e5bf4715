#!/bin/sh
# Puts WordPress on an empty volume, then serves it on port 8080. The database: WORDPRESS_DB_HOST, _NAME, _USER, _PASSWORD.
set -eu
: "${WORDPRESS_DB_HOST:?}" "${WORDPRESS_DB_NAME:?}" "${WORDPRESS_DB_USER:?}" "${WORDPRESS_DB_PASSWORD:?}"
if [ ! -d /data/wordpress ]; then
  rm -rf /data/wordpress.new
  # Debian keeps parts of it elsewhere and links to them.
  cp -rL /usr/share/wordpress /data/wordpress.new
  cp /usr/share/gabion-test/wp-config.php /data/wordpress.new/wp-config.php
  mkdir -p /data/wordpress.new/wp-content/uploads
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > /data/secret
  mv /data/wordpress.new /data/wordpress
  sync
fi
export APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data APACHE_RUN_DIR=/tmp APACHE_LOCK_DIR=/tmp APACHE_PID_FILE=/tmp/apache2.pid APACHE_LOG_DIR=/tmp
exec apache2 -DFOREGROUND
