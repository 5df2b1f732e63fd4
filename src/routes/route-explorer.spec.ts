import { All, Controller, Get, Next, Post, Res } from '@nestjs/common';
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
