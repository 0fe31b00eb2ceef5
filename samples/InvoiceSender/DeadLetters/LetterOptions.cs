namespace InvoiceSender;

/// <summary>The options that every dead-letters command has.</summary>
internal sealed record LetterOptions(string Store, Uri? Api, bool Verbose)
{
    public const string DefaultStore = "invoices.deadletters.db";

    public void ConfigureLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        if (Verbose)
            logging.AddSimpleConsole(console => console.SingleLine = true)
                .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
