import { Logger } from '@nestjs/common';
import { TestingLogger } from '@nestjs/testing/services/testing-logger.service.js';

// What providers log is looked at with spies; otherwise nobody wants to see it.
Logger.overrideLogger(false);
// A module of `Test.createTestingModule()` brings this one, which writes errors.
TestingLogger.prototype.error = () => undefined;
