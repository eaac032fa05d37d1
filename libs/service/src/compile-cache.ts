/**
 * Imported for its effect, by a main before it imports anything else: what Node compiles, and sources that it strips of their types, is
 * kept for the next start, which takes a third less. Node writes when it ends, checks what it reads against the source, and goes without
 * where it cannot write; NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 turns it off.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Not the default, which is in the temporary folder: whoever can write there could have us run what he likes.
const FOLDER = fileURLToPath(new URL('../../../.cache/compile', import.meta.url));

enableCompileCache(FOLDER);
// Worker threads do not inherit it: they look here.
process.env['NODE_COMPILE_CACHE'] ??= FOLDER;
