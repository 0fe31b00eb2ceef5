global using HttpResilience.Operations;
global using HttpResilience.Storage;
global using HttpResilience.Testing;
global using Shouldly;
global using Xunit;
