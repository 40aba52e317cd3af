import type { Command } from './command.js'
import { compactCommand } from './compactCommand.js'
import { diffCommand } from './diffCommand.js'
import { exportCommand } from './exportCommand.js'
import { getCommand } from './getCommand.js'
import { importCommand } from './importCommand.js'
import { inspectCommand } from './inspectCommand.js'
import { keysCommand } from './keysCommand.js'
import { rescaleCommand } from './rescaleCommand.js'
import { savepointCommand } from './savepointCommand.js'
import { topCommand } from './topCommand.js'
import { verifyCommand } from './verifyCommand.js'

/** All commands, in the order in which they are told. */
export const commands: readonly Command[] = [
  inspectCommand,
  verifyCommand,
  keysCommand,
  getCommand,
  diffCommand,
  exportCommand,
  importCommand,
  savepointCommand,
  rescaleCommand,
  compactCommand,
  topCommand,
]
