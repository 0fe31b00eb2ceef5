using HttpResilience;
using Microsoft.AspNetCore.Authentication.Cookies;
using Shop;

// An application that sends invoices to an API, with the page for those who operate it. The API is part of it, and refuses some.
// Its settings lie beside the program, wherever it is started.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });

builder.Services.AddResilientHttpClient<BillingClient>(
    "billing", client => client.BaseAddress = new(builder.Configuration["Billing:Address"] ?? "http://127.0.0.1:5080"));
builder.Services.AddHttpResilienceStorage(
    storage => storage.UseSqlite(builder.Configuration.GetConnectionString("Resilience") ?? "Data Source=shop.db"));
builder.Services.AddDeadLetterReplay();
builder.Services.AddHttpResilienceOperations();
builder.Services.AddHealthChecks().AddHttpResilience();

// Who may see the page, and who may change something. The sign-in of this sample believes every name.
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(o => o.LoginPath = "/sign-in");
builder.Services.AddAuthorizationBuilder()
    .AddPolicy("staff", p => p.RequireAuthenticatedUser())
    .AddPolicy("operators", p => p.RequireRole("operators"));
builder.Services.AddHttpResiliencePage(o =>
{
    o.OperatePolicy = "operators";
    o.LetterTitleTags.Add("document");
});

builder.Services.AddHostedService<InvoiceRun>();

var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapGet("/", () => Results.Redirect("/resilience"));
app.MapHealthChecks("/health");
app.MapHttpResilience("/resilience").RequireAuthorization("staff");
app.MapSignIn();
app.MapBillingApi();
app.Run();
