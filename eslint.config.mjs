import tseslint from 'typescript-eslint';

/** Who may import whom (ARCHITECTURE.md, "The house"). Every workspace package stands here; a missing one may import nothing. */
const MAY_IMPORT = {
  'libs/native': [],
  'libs/rtp': [],
  'libs/srtla': [],
  'libs/audio': [],
  'libs/proto': [],
  'libs/net': ['native'],
  'libs/media': ['net', 'native'],
  'libs/control': ['proto'],
  'libs/service': ['control', 'media', 'net', 'proto'],
  'libs/testkit': ['audio', 'control', 'media', 'native', 'net', 'proto', 'rtp', 'service', 'srtla'],
  'apps/rtp-channel': ['audio', 'control', 'media', 'net', 'proto', 'rtp', 'service'],
  'apps/srtla-gateway': ['control', 'media', 'net', 'proto', 'service', 'srtla'],
  'apps/standalone': [
    'audio',
    'control',
    'media',
    'net',
    'proto',
    'rtp-channel',
    'service',
    'srtla',
    'srtla-gateway',
    'testkit',
  ],
  loadtest: [
    'audio',
    'control',
    'media',
    'native',
    'net',
    'proto',
    'rtp',
    'service',
    'srtla',
    'testkit',
    'rtp-channel',
  ],
};

/** Cores that take packets, commands and the time as arguments: no clock, timer, randomness, socket or environment inside. */
const SANS_IO = [
  'libs/rtp/src/**/*.ts',
  'libs/srtla/src/**/*.ts',
  'libs/audio/src/**/*.ts',
  'apps/*/src/domain/**/*.ts',
  'apps/*/src/media/**/*.ts',
];

const packages = Object.keys(MAY_IMPORT).map((path) => path.split('/').pop());

const layering = Object.entries(MAY_IMPORT).map(([path, allowed]) => {
  const forbidden = packages.filter((name) => !allowed.includes(name));
  return {
    files: [`${path}/src/**/*.ts`],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: path === 'libs/native' ? [] : [{ name: 'koffi', message: 'All FFI lives in libs/native.' }],
          patterns: [
            { group: ['**/../libs/**', '**/../apps/**'], message: 'Import another package by its name.' },
            ...(forbidden.length === 0
              ? []
              : [
                  {
                    group: forbidden.flatMap((name) => [`@mediaplane/${name}`, `@mediaplane/${name}/*`]),
                    message: `${path} may import only: ${allowed.join(', ') || 'nothing of ours'}.`,
                  },
                ]),
          ],
        },
      ],
    },
  };
});

const banned = (object, property) => ({ object, property, message: 'Sans-IO: take it as an argument.' });

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '.nx/', '.cache/', 'libs/proto/src/gen/'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'prefer-const': 'error',
      'no-constant-condition': ['error', { checkLoops: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    },
  },
  {
    // Nest reads constructor parameter types at run time, so the shells import them as values.
    files: ['apps/*/src/**/*.module.ts', 'apps/*/src/api/**/*.ts'],
    rules: { '@typescript-eslint/consistent-type-imports': 'off', '@typescript-eslint/no-extraneous-class': 'off' },
  },
  ...layering,
  {
    files: SANS_IO,
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'queueMicrotask'].map((name) => ({
          name,
          message: 'Sans-IO: take it as an argument.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        banned('Date', 'now'),
        banned('Math', 'random'),
        banned('crypto', 'getRandomValues'),
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportDeclaration[source.value=/^node:/]', message: 'Sans-IO: no Node modules.' },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Sans-IO: take the time as an argument.',
        },
      ],
    },
  },
);
