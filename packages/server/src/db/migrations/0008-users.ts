/** @file People who sign in: accounts, sessions, single sign-on, and the attempts to guess a way in. */
import type { Migration } from "./migration.ts";

/** Secrets that people or browsers hold are kept as hashes; the one that we must present ourselves is sealed. */
export const users: Migration = {
  name: "0008-users",
  up: `
    -- email is in lower case. password is "$argon2id$...", null for who signs in by a provider only. email_verified_at is set
    -- when a provider vouched for the address: until then whoever made the account may have typed somebody else's.
    create table user_account (
      id text primary key,
      email text not null unique check (email = lower(email)),
      name text not null,
      password text check (password like '$argon2id$%'),
      email_verified_at timestamptz,
      created_at timestamptz not null default now()
    );

    -- token_sha256 is of the cookie's 256 random bits. An ended session has no row.
    create table session (
      id text primary key,
      user_id text not null references user_account (id) on delete cascade,
      token_sha256 bytea not null unique check (length(token_sha256) = 32),
      address text not null,
      user_agent text not null,
      created_at timestamptz not null,
      last_seen_at timestamptz not null,
      expires_at timestamptz not null
    );
    create index session_of_user on session (user_id, id);
    create index session_expiring on session (expires_at);

    -- client_secret is sealed by the secret box. default_role null: the provider makes no accounts.
    create table identity_provider (
      id text primary key,
      organization_id text not null references organization (id),
      name text not null unique,
      issuer text not null,
      client_id text not null,
      client_secret bytea not null,
      allowed_domains text[] not null check (cardinality(allowed_domains) > 0),
      default_role text,
      created_at timestamptz not null default now()
    );

    -- Whom a provider knows by which subject; its e-mail addresses may change, its subjects don't.
    create table user_identity (
      provider_id text not null references identity_provider (id) on delete cascade,
      subject text not null,
      user_id text not null references user_account (id) on delete cascade,
      created_at timestamptz not null default now(),
      primary key (provider_id, subject)
    );
    create index user_identity_of_user on user_identity (user_id);

    -- States of single sign-on that came back: each is taken once.
    create table used_sign_in_state (
      state_sha256 bytea primary key,
      expires_at timestamptz not null
    );
    create index used_sign_in_state_expiring on used_sign_in_state (expires_at);

    -- One leaky bucket a subject (an address, an account, both). Full until then; a row of the past says nothing.
    create table sign_in_attempt (
      subject bytea primary key,
      drained_at timestamptz not null
    );
    create index sign_in_attempt_drained on sign_in_attempt (drained_at);
  `,
};
