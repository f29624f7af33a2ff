/** `prepack` of every package: puts the two licence texts beside its package.json, so that they are in the tarball. */
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lib/steps.mjs'

const from = join(root, 'LICENSES')
const to = join(process.cwd(), 'LICENSES')
mkdirSync(to, { recursive: true })
for (const file of readdirSync(from)) copyFileSync(join(from, file), join(to, file))
