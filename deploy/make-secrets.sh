#!/bin/sh
# Write the secrets that docker-compose.yml hands to its services, one file each, never twice.
#
# The folder is open to its owner alone. The files in it are readable, because Compose mounts them
# one by one and our services run as a user the host does not know.
set -eu

folder=${1:-secrets}
if [ -e "$folder/postgres_password" ]; then
    echo "$folder already holds secrets; delete it (and the database volume) to begin anew"
    exit 0
fi

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

umask 077
mkdir -p "$folder"
password=$(random)
for database in tracker lake dagster; do
    printf 'postgresql+psycopg2://ates:%s@postgres:5432/%s' "$password" "$database" \
        > "$folder/${database}_database_url"
done
reader_password=$(random)
for database in tracker lake; do
    printf 'postgresql+psycopg2://ates_reader:%s@postgres:5432/%s' "$reader_password" "$database" \
        > "$folder/${database}_reader_url"
done
for client in dashboards dagster pipelines; do
    random > "$folder/oidc_${client}_secret"
done
printf '%s' "$password" > "$folder/postgres_password"
printf '%s' "$reader_password" > "$folder/postgres_reader_password"
chmod 0444 "$folder"/*
echo "wrote the secrets into $folder"
