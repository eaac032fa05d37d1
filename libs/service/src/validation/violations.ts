import { ServiceError } from '@mediaplane/control';
import type { FieldViolation } from '@mediaplane/control';

/** Everything that is wrong with a request: all of it is found before any of it is refused. */
export class Violations {
  #found: FieldViolation[] | undefined;

  /** `field`: path in the request, in snake_case. `allowed` says what would be right. */
  add(field: string, allowed: string): void {
    this.#found ??= [];
    this.#found.push({ field, description: allowed });
  }

  /** Integers from `min` to `max`. */
  requireRange(field: string, value: number, min: number, max: number, unit = ''): void {
    if (Number.isInteger(value) && value >= min && value <= max) return;
    this.add(field, `must be ${min} to ${max}${unit === '' ? '' : ` ${unit}`}, is ${value}`);
  }

  /** @throws ServiceError INVALID_ARGUMENT that names every field */
  throwIfAny(): void {
    if (this.#found === undefined) return;
    const message = this.#found.map(({ field, description }) => `${field}: ${description}`).join('; ');
    throw new ServiceError('INVALID_ARGUMENT', 'INVALID_FIELD', message, { fieldViolations: this.#found });
  }
}

/** A text of the caller's in an error message: short, and without what would break a line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
