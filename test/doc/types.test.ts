import { join } from 'node:path'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { root } from '../tidy/sourceFiles.js'
import { type Block, blocks } from './blocks.js'
import { importsItself, programOf } from './program.js'

/** What the compiler says about programs that name what they import: each line with its file and line. */
function complaints(programs: readonly Block[]): readonly string[] {
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config, ts.sys, root)
  const checked = { ...options, noUnusedLocals: false, noUnusedParameters: false, noEmit: true }
  // They are compiled from memory, where they would stand if they were tests.
  const texts = new Map(programs.map((block, index) => [join(root, `test/doc/program${index}.ts`), programOf(block, new Map())]))
  const host = ts.createCompilerHost(checked)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (path) => texts.has(path) || fileExists(path)
  host.readFile = (path) => texts.get(path) ?? readFile(path)
  host.getSourceFile = (path, languageVersion, ...more) => {
    const text = texts.get(path)
    return text === undefined ? getSourceFile(path, languageVersion, ...more) : ts.createSourceFile(path, text, languageVersion)
  }
  const compiled = ts.createProgram([...texts.keys()], checked, host)
  return [...texts.keys()].flatMap((path, index) => {
    const { file, line } = programs[index] as Block
    const source = compiled.getSourceFile(path) as ts.SourceFile
    return [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) => {
      const at = line - 1 + source.getLineAndCharacterOfPosition(start).line
      return `${file}:${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  })
}

it('the programs of the pages compile', () => {
  const ofPages = blocks().filter((block) => block.data !== undefined)
  const started = new Map(
    ofPages.flatMap(({ file, data = [] }) => data.map(({ name, line, text }) => [`${file}:${line}`, { file, line, name, code: text }])),
  )
  const programs = [...ofPages, ...[...started.values()].filter(({ name }) => name.endsWith('.ts'))].filter(importsItself)
  expect(programs.length).toBeGreaterThan(0)
  const planted: Block = { file: 'planted.md', line: 7, code: "import { of } from 'rxjs'\nof(1) // => of(1)\nconst text: string = 1" }
  expect(complaints([...programs, planted])).toEqual(["planted.md:9: Type 'number' is not assignable to type 'string'."])
})
