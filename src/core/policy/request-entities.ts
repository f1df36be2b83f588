/**
 * A request in Cedar's terms: principal, action, resource, context, entities.
 *
 * Layer: core. Spec: docs/spec/policy-set-v1.md, section 3 ("Schema"). Facts that no rule of the
 * operation mentions are left out; a fact that the set derives (level, personal flags, whether an
 * application is listed) is taken from the set and never from the asker.
 */
import type { Application } from './applications-file.js';
import type { CedarCall, CedarEntity, CedarUid, CedarValue } from './cedar-engine.js';
import type { Label } from './labels-file.js';
import type { Mentions } from './rule-mentions.js';
import type { DestinationFacts, FileFacts, PolicyRequest, UserFacts } from './vocabulary.js';

/** Where derived facts come from. A name that the set does not have answers `null`. */
export interface FactSource {
  readonly label: (name: string) => Label | null;
  readonly application: (id: string) => Application | null;
}

type Attributes = Readonly<Record<string, CedarValue>>;

/** Below every label: somebody cleared for an unknown label is cleared for nothing. */
export const NO_CLEARANCE = -1;

function pruned(attrs: Attributes, mentions: Mentions | null): Attributes {
  if (mentions === null) return attrs;
  return Object.fromEntries(
    Object.entries(attrs).filter(([name]) => mentions.attributes.has(name)),
  );
}

function entity(
  uid: CedarUid,
  attrs: Attributes,
  mentions: Mentions | null,
  parents: readonly CedarUid[] = [],
): CedarEntity {
  return { uid, attrs: pruned(attrs, mentions), parents };
}

function reference(uid: CedarUid): CedarValue {
  return { __entity: uid };
}

function userEntity(user: UserFacts, source: FactSource, mentions: Mentions | null): CedarEntity {
  const clearance = source.label(user.clearance)?.level ?? NO_CLEARANCE;
  return entity(
    { type: 'User', id: user.id },
    { area: user.area, roles: user.roles, clearance },
    mentions,
    user.groups.map((id) => ({ type: 'Group', id })),
  );
}

function fileEntity(file: FileFacts, label: Label, mentions: Mentions | null): CedarEntity {
  const { level, personal, sensitivePersonal } = label;
  const owner = file.owner === null ? {} : { owner: reference({ type: 'User', id: file.owner }) };
  return entity(
    { type: 'File', id: file.id },
    { label: label.name, level, area: file.area, personal, sensitivePersonal, ...owner },
    mentions,
  );
}

function applicationEntity(id: string, source: FactSource, mentions: Mentions | null): CedarEntity {
  const application = source.application(id);
  return entity(
    { type: 'Application', id },
    { listed: application !== null, network: application?.network === 'host' },
    mentions,
  );
}

function destinationEntity(facts: DestinationFacts, mentions: Mentions | null): CedarEntity {
  const { kind, area, domain, trusted } = facts;
  return entity({ type: 'Destination', id: facts.id }, { kind, area, domain, trusted }, mentions);
}

/** The entities that the context points to, under their context names. */
function contextEntities(
  request: PolicyRequest,
  source: FactSource,
  mentions: Mentions | null,
): Readonly<Record<string, CedarEntity>> {
  const { device, application, destination } = request;
  return {
    device: entity(
      { type: 'Device', id: device.id },
      { area: device.area, compliant: device.compliant },
      mentions,
    ),
    ...(application === null
      ? {}
      : { application: applicationEntity(application, source, mentions) }),
    ...(destination === null ? {} : { destination: destinationEntity(destination, mentions) }),
  };
}

function plainContext(request: PolicyRequest, source: FactSource): Attributes {
  const { hour, weekday, offline, justified, count, bytes, people, findings, session } =
    request.situation;
  const toLabel = request.toLabel === null ? null : source.label(request.toLabel);
  return {
    ...{ hour, weekday, offline, justified, count, bytes, people, findings, session },
    ...(toLabel === null ? {} : { toLabel: toLabel.name, toLevel: toLabel.level }),
  };
}

/** What the action is done to: the application for `run`, the file for the rest. */
function resourceEntity(
  request: PolicyRequest,
  source: FactSource,
  mentions: Mentions | null,
): CedarEntity | null {
  if (request.operation === 'run') {
    if (request.application === null) return null;
    return applicationEntity(request.application, source, mentions);
  }
  const label = request.file === null ? null : source.label(request.file.label);
  if (request.file === null || label === null) return null;
  return fileEntity(request.file, label, mentions);
}

/** One entity per uid: Cedar refuses duplicates, and `run` names its application twice. */
function unique(entities: readonly CedarEntity[]): readonly CedarEntity[] {
  const byUid = new Map(entities.map((item) => [`${item.uid.type}::${item.uid.id}`, item]));
  return [...byUid.values()];
}

/** The parts of a Cedar call that depend on the request. */
export type RequestCall = Pick<
  CedarCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>;

/**
 * Builds the call for `request`.
 *
 * @param mentions - what the rules of the operation mention; `null` keeps every fact.
 * @returns `null` when the request lacks its resource or names a label that the set does not have.
 */
export function cedarCall(
  request: PolicyRequest,
  source: FactSource,
  mentions: Mentions | null,
): RequestCall | null {
  const resource = resourceEntity(request, source, mentions);
  if (resource === null) return null;
  const user = userEntity(request.user, source, mentions);
  const keepAll = mentions === null || mentions.wholeContext;
  const linked = Object.entries(contextEntities(request, source, mentions)).filter(
    ([name]) => keepAll || mentions.attributes.has(name),
  );
  const context = {
    ...pruned(plainContext(request, source), keepAll ? null : mentions),
    ...Object.fromEntries(linked.map(([name, item]) => [name, reference(item.uid)])),
  };
  return {
    principal: user.uid,
    action: { type: 'Action', id: request.operation },
    resource: resource.uid,
    context,
    entities: unique([user, resource, ...linked.map(([, item]) => item)]),
  };
}
