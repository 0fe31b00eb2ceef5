using HttpResilience;
using InvoiceSender;
using Microsoft.Extensions.Configuration.Json;

return await SenderCommand.InvokeAsync(args, CreateHost);

static IHost CreateHost(
    ClientKind client, bool isCompared, Uri? api, string? deadLetters, bool sendsLetters, AlertDelivery? alerts,
    Action<ILoggingBuilder> configureLogging)
{
    const string Name = "invoices";
    // Files are read from the program's own folder, not from the current directory.
    var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = AppContext.BaseDirectory });
    // Compared clients have no settings, so that each handler has its defaults.
    if (!isCompared)
        builder.Configuration.Sources.Insert(0, new JsonConfigurationSource { Path = "appsettings.sending.json" });
    if (api is not null) builder.Configuration[$"HttpResilience:Clients:{Name}:BaseAddress"] = api.AbsoluteUri;
    configureLogging(builder.Logging);

    // All that differs between the clients.
    switch (client)
    {
        case ClientKind.Bare:
            builder.Services.AddHttpClient<InvoiceClient>(Name, http => http.BaseAddress = api);
            break;

        case ClientKind.Standard:
            builder.Services.AddHttpClient<InvoiceClient>(Name, http => http.BaseAddress = api).AddStandardResilienceHandler();
            break;

        case ClientKind.Resilient:
            // With alerts and the error budget.
            builder.Services.AddHttpResilienceOperations().AddResilientHttpClient<InvoiceClient>(Name, Configure);
            break;
    }

    // The store holds dead letters and remembered responses.
    if (deadLetters is not null)
        builder.Services.AddHttpResilienceStorage(storage => storage.UseSqlite($"Data Source=\"{deadLetters}\""));

    // A service would always send letters again when they are due; in this sample the command send-letters does.
    if (sendsLetters) builder.Services.AddDeadLetterReplay();

    // Alerts about the start and the end of an outage go to a webhook and to a sink of the application, besides the log.
    if (alerts is not null)
        builder.Services.Configure<AlertOptions>(options => options.Webhooks.Add(alerts.Webhook)).AddSingleton<IAlertSink>(alerts.Recorder);

    builder.Services.AddSingleton<InvoiceBatch>().AddSingleton(TimeProvider.System);
    return builder.Build();

    void Configure(HttpResilienceOptions options)
    {
        options.DeadLetter.Enabled = deadLetters is not null;
        // Equal data has an equal key in every run of the program, so an invoice that was accepted or rejected is not sent again.
        options.Idempotency.RememberFor = deadLetters is null ? null : TimeSpan.FromDays(7);
    }
}
