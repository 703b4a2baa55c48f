/** @file Every failure a caller can see, in one table. docs/errors.md is tested against it. Codes are never reused or renamed. */

const table = {
  "request.invalid": {
    status: 400,
    retryable: false,
    help: "Compare the request with the API reference; each problem names its field.",
  },
  "request.too_large": {
    status: 413,
    retryable: false,
    help: "Send less in one request; the limit is in the message.",
  },
  "request.unsupported_media_type": {
    status: 415,
    retryable: false,
    help: "Send one of the content types that the message lists.",
  },
  "request.wrong_host": {
    status: 421,
    retryable: false,
    help: "Call the server by localhost, its address, or a name of GRISTMILL_ALLOWED_HOSTS.",
  },
  "request.timeout": { status: 408, retryable: true, help: "Send the whole request faster, or a smaller one." },
  "request.cancelled": {
    status: 499,
    retryable: true,
    help: "The client went away before the answer; send the request again if it is still wanted.",
  },
  "route.not_found": {
    status: 404,
    retryable: false,
    help: "Check the path and the method; /openapi.json lists all routes.",
  },
  "auth.missing": { status: 401, retryable: false, help: "Send the header `Authorization: Bearer <key>`." },
  "auth.invalid": {
    status: 401,
    retryable: false,
    help: "The key or session is unknown, revoked or expired: make a key with `gristmill key create`, or sign in with `gristmill login`.",
  },
  "auth.csrf": {
    status: 403,
    retryable: false,
    help: "Send the session's `csrf_token` (GET /api/session) as the header `x-csrf-token`, from a page of this server.",
  },
  "auth.model_forbidden": {
    status: 403,
    retryable: false,
    help: "Use a model of the key's list, or a key whose list holds this one.",
  },
  "auth.sign_in_failed": {
    status: 401,
    retryable: false,
    help: "Check the e-mail address and the password; who signs in by a provider has no password here.",
  },
  "auth.too_many_attempts": {
    status: 429,
    retryable: true,
    help: "Wait as long as `retry-after` says; a browser that has signed in before is not held up by others' guesses.",
  },
  "auth.single_sign_on_failed": {
    status: 401,
    retryable: false,
    help: "Start again at GET /api/sign-in/:provider, in the browser that shall be signed in.",
  },
  "auth.not_invited": {
    status: 403,
    retryable: false,
    help: "Ask an administrator of the organization for an invitation to this e-mail address.",
  },
  "user.email_taken": {
    status: 409,
    retryable: false,
    help: "This address has an account: sign in, then accept the invitation with its token alone.",
  },
  "session.not_found": { status: 404, retryable: false, help: "List your sessions with GET /api/sessions." },
  "identity_provider.not_found": {
    status: 404,
    retryable: false,
    help: "List the providers with GET /api/identity-providers.",
  },
  "identity_provider.name_taken": { status: 409, retryable: false, help: "Choose another name." },
  "identity_provider.unavailable": {
    status: 502,
    retryable: true,
    help: "The provider can't be reached or answers no OpenID Connect: check its issuer, and GRISTMILL_ALLOWED_ADDRESSES if it is inside your network.",
  },
  "limit.exceeded": {
    status: 429,
    retryable: true,
    help: "Wait as long as `retry-after` says; the details name the limit. `gristmill limit list` shows all.",
  },
  "limit.not_found": { status: 404, retryable: false, help: "List the limits with `gristmill limit list`." },
  "limit.conflict": {
    status: 409,
    retryable: false,
    help: "Change the limit that the details name: there is one of each metric for a subject.",
  },
  "limit.too_many": {
    status: 409,
    retryable: false,
    help: "Delete limits that are no longer needed; the bound is in the message.",
  },
  "budget.exceeded": {
    status: 429,
    retryable: false,
    help: "The details name the budget: raise it with `gristmill budget update`, or wait for its next period.",
  },
  "budget.not_found": { status: 404, retryable: false, help: "List the budgets with `gristmill budget list`." },
  "webhook.not_found": {
    status: 404,
    retryable: false,
    help: "List the organization's webhooks with GET /api/webhooks.",
  },
  "webhook.too_many": {
    status: 409,
    retryable: false,
    help: "Delete webhooks that are no longer needed; the limit is in the message.",
  },
  "budget.too_many": {
    status: 409,
    retryable: false,
    help: "Delete budgets that are no longer needed; the limit is in the message.",
  },
  "price.unknown": {
    status: 409,
    retryable: false,
    help: "A hard budget needs a price for all that is used: add one with `gristmill price add`.",
  },
  "idempotency.mismatch": {
    status: 409,
    retryable: false,
    help: "This Idempotency-Key was used for another request: take a new key for a new request.",
  },
  "idempotency.in_progress": {
    status: 409,
    retryable: true,
    help: "The first request of this Idempotency-Key is still being worked on: send it again later.",
  },
  "idempotency.not_replayable": {
    status: 409,
    retryable: false,
    help: "The first request was worked on and charged once; the message says why its answer can't be sent again. To have the work done again, take a new key.",
  },
  "secret.unreadable": {
    status: 500,
    retryable: false,
    help: "Start the server with the GRISTMILL_SECRET_KEY (or the home's secret-key) that it was stored with.",
  },
  "auth.forbidden": { status: 403, retryable: false, help: "Use a key that has the scope that the message names." },
  "project.not_found": { status: 404, retryable: false, help: "List the projects with `gristmill project list`." },
  "project.name_taken": { status: 409, retryable: false, help: "Choose another name." },
  "project.archived": {
    status: 403,
    retryable: false,
    help: "The project is in the archive: who may change projects takes it back with `gristmill project update --restore`.",
  },
  "project.is_default": {
    status: 409,
    retryable: false,
    help: "Every organization keeps its project `default`: make another project and leave this one unused.",
  },
  "organization.not_found": {
    status: 404,
    retryable: false,
    help: "List your organizations with `gristmill org list`.",
  },
  "organization.name_taken": { status: 409, retryable: false, help: "Choose another name." },
  "member.not_found": { status: 404, retryable: false, help: "List the members with `gristmill member list`." },
  "member.last_owner": {
    status: 409,
    retryable: false,
    help: "Make another member an owner of the organization first.",
  },
  "invitation.not_found": {
    status: 404,
    retryable: false,
    help: "The invitation is unknown, accepted, withdrawn or older than 7 days: ask for a new one.",
  },
  "invitation.other_address": {
    status: 403,
    retryable: false,
    help: "Sign in as the person whose address was invited, or ask for an invitation to your own address.",
  },
  "service_account.not_found": {
    status: 404,
    retryable: false,
    help: "List the accounts with `gristmill service-account list`.",
  },
  "service_account.name_taken": { status: 409, retryable: false, help: "Choose another name." },
  "key.revoked": { status: 409, retryable: false, help: "A revoked key stays so: make a new one." },
  "key.not_found": { status: 404, retryable: false, help: "List the keys with `gristmill key list`." },
  "dataset.not_found": { status: 404, retryable: false, help: "List the datasets with `gristmill dataset list`." },
  "dataset.name_taken": {
    status: 409,
    retryable: false,
    help: "Choose another name, or delete the dataset of that name.",
  },
  "dataset.in_use": { status: 409, retryable: false, help: "Wait for the runs that the details list, or cancel them." },
  "dataset.not_ready": {
    status: 409,
    retryable: true,
    help: "Wait until the dataset's status is ready; see its error when it failed.",
  },
  "data.malformed": {
    status: 422,
    retryable: false,
    help: "The file is damaged or of another format; the message says where.",
  },
  "data.mismatch": {
    status: 422,
    retryable: false,
    help: "The files don't belong together; the message names the counts.",
  },
  "data.unsafe_path": {
    status: 422,
    retryable: false,
    help: "Entries must stay inside their archive: no `..`, no absolute paths, no links.",
  },
  "data.package_not_found": {
    status: 422,
    retryable: false,
    help: "Check the package's name, version and files, and that the npm registry is reachable.",
  },
  "data.busy": {
    status: 429,
    retryable: true,
    help: "Wait until some of the project's imports have ended, then try again.",
  },
  "run.not_found": { status: 404, retryable: false, help: "List the runs with `gristmill run list`." },
  "run.finished": { status: 409, retryable: false, help: "The run has ended; start a new one." },
  "run.not_finite": {
    status: 422,
    retryable: false,
    help: "The loss became NaN or infinite: lower the learning rate, scale the inputs, or clip gradients.",
  },
  "run.worker_died": {
    status: 500,
    retryable: true,
    help: "The training process ended again and again; see its last lines in the details.",
  },
  "spec.invalid": {
    status: 422,
    retryable: false,
    help: "The message names the layer, what it expected and what it received.",
  },
  "model.not_found": { status: 404, retryable: false, help: "List the models with `gristmill model list`." },
  "model.version_not_found": {
    status: 404,
    retryable: false,
    help: "Show the model's versions with `gristmill model show NAME`.",
  },
  "model.in_use": { status: 409, retryable: false, help: "Delete the deployments that the details list first." },
  "artifact.corrupt": {
    status: 500,
    retryable: false,
    help: "The file on disk is not the one that was stored: restore it from a backup, or train again.",
  },
  "deployment.not_found": { status: 404, retryable: false, help: "List the deployments with `gristmill deploy list`." },
  "deployment.name_taken": {
    status: 409,
    retryable: false,
    help: "Choose another name, or update the deployment of that name.",
  },
  "deployment.not_ready": {
    status: 503,
    retryable: true,
    help: "Wait until the deployment is ready; its events say what it does.",
  },
  "deployment.stopping": {
    status: 409,
    retryable: false,
    help: "The deployment is being deleted; make a new one when it is gone.",
  },
  "deployment.revision_not_found": {
    status: 404,
    retryable: false,
    help: "Show the deployment's revisions with `gristmill deploy show NAME`.",
  },
  "upstream.not_found": {
    status: 404,
    retryable: false,
    help: "List the project's upstreams with GET /api/upstreams.",
  },
  "upstream.name_taken": {
    status: 409,
    retryable: false,
    help: "Choose another name, or update the upstream of that name.",
  },
  "upstream.too_many": {
    status: 409,
    retryable: false,
    help: "Delete upstreams that are no longer needed; the limit is in the message.",
  },
  "upstream.in_use": {
    status: 409,
    retryable: false,
    help: "Delete the deployments that the message names, or take the upstream out of them.",
  },
  "upstream.failed": {
    status: 502,
    retryable: true,
    help: "The server behind the deployment failed or could not be reached; the message says how.",
  },
  "response.not_found": {
    status: 404,
    retryable: false,
    help: "Responses are kept for 30 days, unless they were made with `store: false` or deleted.",
  },
  "response.not_background": {
    status: 400,
    retryable: false,
    help: "Only responses made with `background: true` can be cancelled; end the connection to end another.",
  },
  "engine.input_invalid": {
    status: 400,
    retryable: false,
    help: "Compare the tensors with the model's inputs at GET /v2/models/NAME.",
  },
  "engine.request_invalid": {
    status: 400,
    retryable: false,
    help: "Change the field that `param` names; GET /api/models/NAME/versions/NUMBER tells what the model is.",
  },
  "engine.context_length_exceeded": {
    status: 400,
    retryable: false,
    help: "Send a shorter prompt or ask for fewer tokens: the details have the counts. Nothing is cut off silently.",
  },
  "engine.queue_full": { status: 429, retryable: true, help: "Slow down, or give the deployment more replicas." },
  "engine.replica_died": {
    status: 503,
    retryable: true,
    help: "The model's process ended while it worked on the request; it is being restarted.",
  },
  "engine.failed": {
    status: 500,
    retryable: false,
    help: "The engine refused to run; the message is the engine's own.",
  },
  "image.unreadable": { status: 422, retryable: false, help: "Send a whole PNG, JPEG or WebP image." },
  "image.too_large": {
    status: 422,
    retryable: false,
    help: "Send an image with fewer pixels; the limit is in the message.",
  },
  "price.conflict": {
    status: 409,
    retryable: false,
    help: "Let the price begin after the last one of the same meter, model and hardware, and not in the past.",
  },
  "url.forbidden": {
    status: 422,
    retryable: false,
    help: "Give an https URL of a public host; an operator may allow others by GRISTMILL_ALLOWED_ADDRESSES.",
  },
  "url.unreachable": {
    status: 502,
    retryable: true,
    help: "The other server did not answer, not in time, or with too much: check the URL, then try again.",
  },
  "meter.not_found": { status: 404, retryable: false, help: "List the meters with `gristmill meter list`." },
  "meter.name_taken": {
    status: 409,
    retryable: false,
    help: "Choose another name: a name stays with its meter, deleted ones included, because their events stay.",
  },
  "meter.too_many": { status: 409, retryable: false, help: "Delete meters that are no longer used." },
  "event.not_found": { status: 404, retryable: false, help: "List the events with `gristmill event list`." },
  "event.invalid": {
    status: 422,
    retryable: false,
    help: "The event still can't be counted; the message says why. Make the meter that it needs, or discard it.",
  },
  "event.corrected": {
    status: 409,
    retryable: false,
    help: "An event is corrected once: correct the correction's own entry instead.",
  },
  "event.not_correctable": {
    status: 409,
    retryable: false,
    help: "Only what is summed or counted has an opposite: send a later event for a maximum or a latest value.",
  },
  "quarantine.not_found": {
    status: 404,
    retryable: false,
    help: "List what was set aside with `gristmill event quarantine`.",
  },
  "quarantine.resolved": { status: 409, retryable: false, help: "It was replayed or discarded before." },
  "quarantine.full": {
    status: 429,
    retryable: false,
    help: "Replay or discard what waits at GET /api/quarantine, and mend the sender.",
  },
  "mail.failed": {
    status: 502,
    retryable: true,
    help: "The mail server of GRISTMILL_SMTP_URL did not take the letter: check its address, its password and the recipient.",
  },
  "backup.invalid": {
    status: 422,
    retryable: false,
    help: "The file is no Gristmill backup, is damaged, or is of a newer version.",
  },
  "home.in_use": {
    status: 409,
    retryable: false,
    help: "Another Gristmill runs on this home: stop it, or set GRISTMILL_HOME to another folder.",
  },
  "home.not_writable": {
    status: 500,
    retryable: false,
    help: "Make the folder writable, or set GRISTMILL_HOME to another folder.",
  },
  "home.not_empty": {
    status: 409,
    retryable: false,
    help: "Restore only into an empty home: set GRISTMILL_HOME to a new folder.",
  },
  "home.newer": { status: 409, retryable: false, help: "A newer Gristmill has written this home: use that version." },
  "config.invalid": {
    status: 500,
    retryable: false,
    help: "Correct the flag or environment variable that the message names; see `gristmill help`.",
  },
  "port.in_use": {
    status: 500,
    retryable: false,
    help: "Stop the other program, or set GRISTMILL_PORT to a free port.",
  },
  "database.unavailable": {
    status: 503,
    retryable: true,
    help: "The database can't be reached; without it nothing can be metered, so nothing is served.",
  },
  "server.stopping": { status: 503, retryable: true, help: "The server is shutting down; try again soon." },
  internal: {
    status: 500,
    retryable: false,
    help: "A fault of ours: the log has the request id that the answer names.",
  },
} as const;

/** A stable code, `domain.reason`. */
export type ErrorCode = keyof typeof table;

/** What the table says of one code. */
export interface ErrorEntry {
  /** HTTP status. */
  readonly status: number;
  /** True when the same request may succeed later. */
  readonly retryable: boolean;
  /** How to mend it, as shown in docs/errors.md and by the command line. */
  readonly help: string;
}

/** All codes with status, retryability and help. */
export const errorTable: Readonly<Record<ErrorCode, ErrorEntry>> = table;

/** True when a string from outside is a code of the table. */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(table, code);

/** A failure with a stable code. `message` and `details` reach the caller; `cause` is only logged. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, more: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, { cause: more.cause });
    this.code = code;
    this.details = more.details ?? {};
  }

  get status(): number {
    return table[this.code].status;
  }

  get retryable(): boolean {
    return table[this.code].retryable;
  }
}
