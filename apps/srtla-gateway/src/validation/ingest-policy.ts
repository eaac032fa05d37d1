import type { srtla } from '@mediaplane/proto';
import type { Violations } from '@mediaplane/service';
import { isRefusal } from '../ingest/refusals.ts';
import { parseServer, requireServer } from './names.ts';

const MAX_RULES = 64;
const MAX_PATTERN_CHARACTERS = 256;
const MAX_STREAM_NAME_CHARACTERS = 64;
const MAX_SUBJECT_CHARACTERS = 256;
const PATTERNS = ['resource', 'user', 'session', 'mode'] as const;
/** Of a bus subject that is no pattern. */
const SUBJECT = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;
/** Those of the control plane are not for others. */
const OWN_SUBJECTS = 'mp.v1.';

export function checkPolicy(violations: Violations, field: string, policy: srtla.IngestPolicy['policy']): void {
  switch (policy?.$case) {
    case 'fixed':
      return requireServer(violations, `${field}.fixed`, policy.value);
    case 'rules':
      return checkRules(violations, `${field}.rules`, policy.value);
    default:
      violations.add(field, 'must have one of fixed, rules');
  }
}

function checkRules(violations: Violations, field: string, { rules, withoutStreamId }: srtla.IngestRules): void {
  if (rules.length > MAX_RULES) violations.add(`${field}.rules`, `must have at most ${MAX_RULES}, has ${rules.length}`);
  rules.slice(0, MAX_RULES).forEach((rule, i) => {
    const at = `${field}.rules[${i}]`;
    for (const key of PATTERNS) {
      const { length } = rule[key];
      if (length > MAX_PATTERN_CHARACTERS) {
        violations.add(`${at}.${key}`, `must have at most ${MAX_PATTERN_CHARACTERS} characters, has ${length}`);
      }
    }
    if (rule.then === undefined) violations.add(`${at}.then`, 'must be there');
    else checkAction(violations, `${at}.then`, rule.then);
  });
  if (withoutStreamId !== undefined) checkAction(violations, `${field}.without_stream_id`, withoutStreamId);
}

function checkAction(violations: Violations, field: string, { action, streamName }: srtla.IngestAction): void {
  if (streamName.length > MAX_STREAM_NAME_CHARACTERS) {
    violations.add(
      `${field}.stream_name`,
      `must have at most ${MAX_STREAM_NAME_CHARACTERS} characters, has ${streamName.length}`,
    );
  }
  switch (action?.$case) {
    case 'server':
      return requireServer(violations, `${field}.server`, action.value);
    case 'refuse':
      if (!isRefusal(action.value)) violations.add(`${field}.refuse`, 'must be an IngestRefusal');
      return;
    case 'callback':
      return checkCallback(violations, `${field}.callback`, action.value);
    default:
      violations.add(field, 'must have one of server, refuse, callback');
  }
}

function checkCallback(violations: Violations, field: string, { target }: srtla.IngestCallback): void {
  switch (target?.$case) {
    case 'grpcTarget': {
      const server = parseServer(target.value);
      if (server === undefined) violations.add(`${field}.grpc_target`, 'must be host:port');
      else requireServer(violations, `${field}.grpc_target`, server);
      return;
    }
    case 'busSubject':
      if (
        target.value.length > MAX_SUBJECT_CHARACTERS ||
        !SUBJECT.test(target.value) ||
        target.value.startsWith(OWN_SUBJECTS)
      ) {
        const allowed = `a subject of at most ${MAX_SUBJECT_CHARACTERS} characters, without wildcards, not below`;
        violations.add(`${field}.bus_subject`, `must be ${allowed} ${OWN_SUBJECTS}`);
      }
      return;
    default:
      violations.add(field, 'must have one of grpc_target, bus_subject');
  }
}
