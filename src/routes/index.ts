export { Operation, type OperationInfo, type OperationSchema } from './operation.js';
export { RouteExplorer, type Route } from './route-explorer.js';
export { RoutesModule } from './routes.module.js';
