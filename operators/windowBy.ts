/** Another name of {@link window}, for files that use the browser's global of that name. */
export { window as windowBy } from './window.js'
