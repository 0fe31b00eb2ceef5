using InvoiceSender;

return await SenderCommand.InvokeAsync(args, CreateHost);

static IHost CreateHost(ClientKind client, Uri api, Action<ILoggingBuilder> configureLogging)
{
    // The settings file is beside the program, wherever it is started from.
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
    builder.Configuration["HttpResilience:Clients:invoices:BaseAddress"] = api.AbsoluteUri;
    configureLogging(builder.Logging);

    // The one line that makes the difference.
    if (client is ClientKind.Resilient)
        builder.Services.AddResilientHttpClient<InvoiceClient>("invoices");
    else
        builder.Services.AddHttpClient<InvoiceClient>("invoices", http => (http.BaseAddress, http.Timeout) = (api, TimeSpan.FromSeconds(2)));

    builder.Services.AddSingleton<InvoiceBatch>().AddSingleton(TimeProvider.System);
    return builder.Build();
}
