import { srtla } from '@mediaplane/proto';
import { RejectionReason } from '@mediaplane/srtla';

const { IngestRefusal } = srtla;
export type Refusal = srtla.IngestRefusal;

const REASONS: ReadonlyMap<Refusal, number> = new Map<Refusal, number>([
  [IngestRefusal.BAD_REQUEST, RejectionReason.badRequest],
  [IngestRefusal.UNAUTHORIZED, RejectionReason.unauthorized],
  [IngestRefusal.FORBIDDEN, RejectionReason.forbidden],
  [IngestRefusal.BAD_GATEWAY, RejectionReason.gateway],
  [IngestRefusal.UNAVAILABLE, RejectionReason.down],
]);

export function isRefusal(value: number): boolean {
  return value === IngestRefusal.UNSPECIFIED || REASONS.has(value as Refusal);
}

/** As SRT counts it (RejectionReason). What nobody has specified is FORBIDDEN. */
export function rejectionReason(refusal: Refusal): number {
  return REASONS.get(refusal) ?? RejectionReason.forbidden;
}

/** UNSPECIFIED for what is none of ours. */
export function refusalOf(reason: number): Refusal {
  for (const [refusal, of] of REASONS) if (of === reason) return refusal;
  return IngestRefusal.UNSPECIFIED;
}
