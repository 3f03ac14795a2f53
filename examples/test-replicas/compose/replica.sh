set -e
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # -R: standby.signal and primary_conninfo; -C -S: a slot on the primary, which keeps WAL for this replica.
  pg_basebackup -d "host=db1-wal user=replicator password=secret application_name=$HOSTNAME" \
    -D "$PGDATA" -R -C -S "$HOSTNAME" -c fast
fi
exec postgres
