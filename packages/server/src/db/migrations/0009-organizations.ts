import type { Migration } from "./migration.ts";

/** Members and their roles, invitations, service accounts; whose a key is, what it may use, and its secret before this one. */
export const organizations: Migration = {
  name: "0009-organizations",
  up: `
    alter table organization add column display_name text;

    -- An archived project keeps its rows; its keys are refused.
    alter table project
      add column description text not null default '',
      add column archived_at timestamptz,
      add unique (organization_id, id);

    -- project_id null: in the whole organization.
    create table membership (
      organization_id text not null references organization (id),
      project_id text,
      user_id text not null references user_account (id) on delete cascade,
      role text not null check (role in ('owner', 'admin', 'developer', 'billing', 'viewer')),
      created_at timestamptz not null default now(),
      foreign key (organization_id, project_id) references project (organization_id, id)
    );
    create unique index membership_in_organization on membership (organization_id, user_id) where project_id is null;
    create unique index membership_in_project on membership (organization_id, user_id, project_id)
      where project_id is not null;
    create index membership_of_user on membership (user_id);

    -- token_sha256 is of the token. email is in lower case. invited_by null: by the admin key or a key that has no owner.
    create table invitation (
      id text primary key,
      organization_id text not null references organization (id),
      project_id text,
      email text not null check (email = lower(email)),
      role text not null check (role in ('owner', 'admin', 'developer', 'billing', 'viewer')),
      token_sha256 bytea not null unique check (length(token_sha256) = 32),
      invited_by text references user_account (id) on delete cascade,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      accepted_at timestamptz,
      accepted_by text references user_account (id) on delete set null,
      foreign key (organization_id, project_id) references project (organization_id, id)
    );
    create unique index invitation_open on invitation (organization_id, email, coalesce(project_id, ''))
      where accepted_at is null;
    create index invitation_of_organization on invitation (organization_id, id);

    -- A deleted account keeps its row: its keys' usage leads to it. project_id null: its role holds in every project.
    create table service_account (
      id text primary key,
      organization_id text not null references organization (id),
      project_id text,
      name text not null,
      role text not null check (role in ('owner', 'admin', 'developer', 'billing', 'viewer')),
      created_at timestamptz not null default now(),
      disabled_at timestamptz,
      deleted_at timestamptz,
      foreign key (organization_id, project_id) references project (organization_id, id)
    );
    create unique index service_account_name on service_account (organization_id, name) where deleted_at is null;
    create index service_account_of_organization on service_account (organization_id, id);

    -- models null: all of the project. A key is a user's, a service account's or nobody's: an owner's role bounds it, so its row
    -- is not deleted while a key names it.
    -- previous_*: the secret before the last rotation, valid until grace_ends_at.
    alter table api_key
      add column models text[],
      add column user_id text references user_account (id),
      add column service_account_id text references service_account (id),
      add column rotated_at timestamptz,
      add column previous_prefix text unique,
      add column previous_sha256 bytea check (length(previous_sha256) = 32),
      add column grace_ends_at timestamptz,
      add check (user_id is null or service_account_id is null),
      add check ((previous_prefix is null) = (previous_sha256 is null)
        and (previous_prefix is null) = (grace_ends_at is null));
    create index api_key_of_user on api_key (user_id) where user_id is not null;
    create index api_key_of_service_account on api_key (service_account_id) where service_account_id is not null;

    -- Reading keys has a scope of its own now: who could change them could read them.
    update api_key set scopes = array_append(scopes, 'keys:read')
      where 'keys:write' = any (scopes) and not 'keys:read' = any (scopes);
  `,
};
