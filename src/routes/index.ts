export { Operation, type OperationInfo, type OperationSchema } from './operation.js';
export { RouteExplorer, type Handler, type HandlerKind, type Route } from './route-explorer.js';
export {
  RouteTable,
  type RouteAccess,
  type RouteDescriber,
  type RouteFacts,
  type RouteRow,
} from './route-table.service.js';
export { RoutesModule } from './routes.module.js';
