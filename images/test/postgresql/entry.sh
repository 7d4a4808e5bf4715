#!/bin/sh
# Makes a database on an empty volume, then serves it. Everybody in the cluster is trusted: it holds test data only.
set -eu
if [ ! -f "$PGDATA/PG_VERSION" ]; then
  rm -rf "$PGDATA" "$PGDATA.new"
  initdb --pgdata "$PGDATA.new" --data-checksums --encoding UTF8 --locale C --auth trust >&2
  echo 'host all all all trust' >> "$PGDATA.new/pg_hba.conf"
  # Renamed once it is complete: a pod that dies in the middle starts over.
  mv "$PGDATA.new" "$PGDATA"
  sync
fi
exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c shared_buffers=64MB -c max_wal_size=256MB "$@"
