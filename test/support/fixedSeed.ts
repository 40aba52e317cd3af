import fc from 'fast-check'

/** A setup file for runs that are compared with each other: what tests draw at random is the same in each of them. */
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1 })
