using HttpResilience;
using InvoiceSender;

return await SenderCommand.InvokeAsync(args, CreateHost);

static IHost CreateHost(ClientKind client, Uri? api, string? deadLetters, AlertWay? alerts, Action<ILoggingBuilder> configureLogging)
{
    // The settings file is beside the program, wherever it is started from.
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
    if (api is not null) builder.Configuration["HttpResilience:Clients:invoices:BaseAddress"] = api.AbsoluteUri;
    configureLogging(builder.Logging);

    // The one line that makes the difference.
    if (client is ClientKind.Resilient)
        builder.Services.AddResilientHttpClient<InvoiceClient>("invoices", Keep);
    else
        builder.Services.AddHttpClient<InvoiceClient>("invoices", http => (http.BaseAddress, http.Timeout) = (api, TimeSpan.FromSeconds(2)));

    // What fails for good is kept here, and what was settled is remembered. A service would add AddDeadLetterReplay() and have what is due sent again by itself; here a person says when.
    if (deadLetters is not null)
        builder.Services.AddHttpResilienceStorage(storage => storage.UseSqlite($"Data Source=\"{deadLetters}\""));

    // Who hears of an outage, and of its end, besides the log: a webhook and whatever the program wants to do about it itself.
    if (alerts is not null)
        builder.Services.Configure<AlertOptions>(options => options.Webhooks.Add(alerts.Webhook)).AddSingleton<IAlertSink>(alerts.Told);

    builder.Services.AddSingleton<InvoiceBatch>().AddSingleton(TimeProvider.System);
    return builder.Build();

    void Keep(HttpResilienceOptions options)
    {
        options.DeadLetter.Enabled = deadLetters is not null;
        // The same data has the same key, in any run of the program: what was accepted or refused is not sent again.
        options.Idempotency.RememberFor = deadLetters is null ? null : TimeSpan.FromDays(7);
    }
}
