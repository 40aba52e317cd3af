export { type Instrument, type Meter, type MeteredRun, meterRun, type ObservableInstrument, type Observed } from './meterRun.js'
