export { Operation } from './operation.js';
export { RouteExplorer, type Route } from './route-explorer.js';
