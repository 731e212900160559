using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Forerun.OpenAI;

/// <summary>Gives every failed request an answer in OpenAI's shape.</summary>
internal sealed class ErrorResponses(RequestDelegate next, ILogger<ErrorResponses> logger)
{
    /// <summary>Runs the rest and answers for what it throws.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted
                && context.Response.StatusCode is StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed)
            {
                throw ErrorMapping.OfRoute(context.Response.StatusCode, context.Request);
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            OpenAILog.Disconnected(logger);
        }
        catch (Exception exception)
        {
            var refusal = ErrorMapping.Find(exception);
            if (refusal is null)
            {
                OpenAILog.Broken(logger, exception);
            }
            else
            {
                OpenAILog.Refused(logger, refusal.Status, refusal.Error.Code);
            }

            await Json.WriteErrorAsync(context, refusal ?? ErrorMapping.Internal()).ConfigureAwait(false);
        }
    }
}
