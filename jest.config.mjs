const project = (displayName, testMatch) => ({
  displayName,
  testMatch,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['/dist/', '/.cache/', '/.nx/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          experimental: { keepImportAttributes: true },
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
});

/** Two projects: `unit` runs in parallel; `service` starts real processes and servers and runs one file at a time. */
export default {
  testTimeout: 20_000,
  projects: [
    project('unit', ['<rootDir>/{apps,libs,loadtest,tools}/**/src/**/*.spec.ts', '<rootDir>/tools/**/*.spec.ts']),
    project('service', ['<rootDir>/{apps,libs,loadtest}/**/test/**/*.spec.ts']),
  ],
};
