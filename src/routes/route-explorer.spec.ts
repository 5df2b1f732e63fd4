import {
  All,
  Controller,
  Get,
  Module,
  Next,
  Post,
  Res,
  Version,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { expect, it } from 'vitest';
import { RouteExplorer } from './route-explorer.js';
import { RoutesModule } from './routes.module.js';

abstract class Listing {
  @Get() list() {
    return this.query();
  }
  /** No route. */
  query() {
    return [];
  }
}
@Controller('/orders/')
class OrdersController extends Listing {
  @Post(['', 'bulk']) create(@Res({ passthrough: true }) _response: unknown) {}
  @Get(':id/file') file(@Res() _response: unknown) {}
}
@Controller()
class RootController {
  @All() root(@Next() _next: unknown) {}
}

it('lists the routes of all controllers, also those that they inherit', async () => {
  const testing = await Test.createTestingModule({
    imports: [RoutesModule],
    controllers: [OrdersController, RootController],
  }).compile();
  const routes = testing.get(RouteExplorer, { strict: false }).routes();
  expect(routes.map(({ label, writesResponse }) => [label, writesResponse])).toEqual([
    ['POST /orders/bulk (OrdersController.create)', false],
    ['GET /orders/:id/file (OrdersController.file)', true],
    ['GET /orders (OrdersController.list)', false],
    ['ALL / (RootController.root)', true],
  ]);
  const list = routes.find(({ label }) => label.startsWith('GET /orders ('));
  expect(list).toMatchObject({
    controller: OrdersController,
    handler: Reflect.get(OrdersController.prototype, 'list'),
  });
});

it('is one for all modules that import it', async () => {
  class First {}
  class Second {}
  const testing = await Test.createTestingModule({
    imports: [
      { module: First, imports: [RoutesModule] },
      { module: Second, imports: [RoutesModule] },
    ],
  }).compile();
  expect(testing.get(RouteExplorer, { strict: false, each: true })).toHaveLength(1);
});

@Controller({ path: ['a', 'b'], version: ['1', VERSION_NEUTRAL] })
class VersionedController {
  @Get(['', ':id']) get() {}
  @Get('newer') @Version('2') newer() {}
}
@Controller()
class HealthController {
  @Get('health') health() {}
}
@Module({ controllers: [VersionedController] })
class VersionedModule {}

it('knows under which paths a route is served', async () => {
  const testing = await Test.createTestingModule({
    imports: [
      RoutesModule,
      VersionedModule,
      RouterModule.register([{ path: 'shop', module: VersionedModule }]),
    ],
    controllers: [HealthController],
  }).compile();
  const app = testing.createNestApplication();
  const explorer = app.get(RouteExplorer, { strict: false });
  const served = (): string[][] => explorer.routes().map((route) => explorer.paths(route));
  expect(served()).toEqual([
    ['/health'],
    ['/shop/a', '/shop/a/:id', '/shop/b', '/shop/b/:id'],
    ['/shop/a/newer', '/shop/b/newer'],
  ]);
  app.setGlobalPrefix('api', { exclude: ['health'] });
  app.enableVersioning({ type: VersioningType.URI });
  expect(served()).toEqual([
    ['/health'],
    ['a', 'b'].flatMap((name) =>
      ['', '/:id'].flatMap((id) =>
        ['/v1', ''].map((version) => `/api${version}/shop/${name}${id}`),
      ),
    ),
    ['/api/v2/shop/a/newer', '/api/v2/shop/b/newer'],
  ]);
});
