/** The part of the testkit that needs Jest around it; everything else also runs outside tests. */
import { describe, test } from '@jest/globals';
import { findSystemBinary } from './system-binary.ts';

/**
 * A `describe` for tests that need programs from Debian packages. Where one is missing the suite is skipped, counted by
 * Jest and said on stderr; with CI=true it fails, for there everything a test needs has to be there.
 * `body` gets the programs' paths by name.
 */
export function describeIf<Name extends string>(
  programs: Name | readonly Name[],
  title: string,
  body: (paths: Record<Name, string>) => void,
): void {
  const names: readonly Name[] = typeof programs === 'string' ? [programs] : programs;
  const paths = Object.fromEntries(names.map((name) => [name, findSystemBinary(name) ?? '']));
  if (hasAll(paths, names)) {
    describe(title, () => body(paths));
    return;
  }
  const missing = names.filter((name) => paths[name] === '').join(' and ');
  const reason = `"${title}" needs ${missing}, not on this machine (try: node tools/system-packages.mjs ${missing})`;
  if (process.env['CI'] === 'true') {
    describe(title, () => {
      test(`needs ${missing}`, () => {
        throw new Error(reason);
      });
    });
    return;
  }
  process.stderr.write(`SKIPPED: ${reason}\n`);
  describe.skip(title, () => {
    test(`needs ${missing}`, () => {});
  });
}

function hasAll<Name extends string>(
  paths: Record<string, string>,
  names: readonly Name[],
): paths is Record<Name, string> {
  return names.every((name) => paths[name] !== '');
}
