using HttpResilience.Tool;

return await RootOfTool.InvokeAsync(args).ConfigureAwait(false);
