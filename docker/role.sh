#!/bin/sh
# Run once, when the database is made: the role that the site signs in with owns its database and is no superuser.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE wordhearth LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'password';
CREATE DATABASE wordhearth OWNER wordhearth;
SQL
