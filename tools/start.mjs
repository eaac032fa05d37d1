// What `npm start` runs after the bootstrap: every service in one process (apps/standalone).
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`mediaplane needs Node >= 24 on ${process.platform}-${process.arch}; this is ${process.version}.`);
  process.exit(1);
}
// Sources are stripped of their types once: a later start reads what an earlier one compiled.
enableCompileCache(fileURLToPath(new URL('../.cache/compile', import.meta.url)));
await import('../apps/standalone/dist/main.js');
