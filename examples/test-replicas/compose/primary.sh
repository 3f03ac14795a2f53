# Read by the image's entrypoint, once, when the data directory has just been made.
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -c "create role replicator login replication password 'secret'"
# The line that the image adds, `host all all all`, does not mean replication.
echo 'host replication replicator all scram-sha-256' >> "$PGDATA/pg_hba.conf"
