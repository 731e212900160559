using System.Collections.Immutable;
using Forerun.Core.Decoding;
using Forerun.Edge.Generation;
using Forerun.OpenAI.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Forerun.OpenAI;

/// <summary>What is served under <c>/v1</c>.</summary>
internal sealed class CompletionEndpoints(
    TextGenerator generator, TargetDescription target, TimeProvider time, ILogger<CompletionEndpoints> logger)
{
    private const int DefaultTextTokens = 16;
    private readonly ModelEntry _entry = new(target.TargetId, "model", time.GetUtcNow().ToUnixTimeSeconds(), "forerun");

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/chat/completions", ChatAsync);
        routes.MapPost("/v1/completions", TextAsync);
        routes.MapGet("/v1/models", context => Json.WriteAsync(
            context, StatusCodes.Status200OK, new ModelList("list", [_entry]), AnswerJson.Default.ModelList));
        routes.MapGet("/v1/models/{model}", context =>
        {
            CheckModel((string)context.Request.RouteValues["model"]!);
            return Json.WriteAsync(context, StatusCodes.Status200OK, _entry, AnswerJson.Default.ModelEntry);
        });
    }

    private async Task ChatAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync(context, OpenAIJson.Default.ChatCompletionRequest).ConfigureAwait(false);
        Check(request);
        var turns = ConversationMapping.ToTurns(request.Messages);
        if (generator.ChatProblem is not null)
        {
            throw RequestRefusedException.Invalid(
                "The model has no chat template that is supported, so it cannot chat. Use POST /v1/completions.",
                code: "no_chat_template");
        }

        await CompleteAsync(context, request, generator.ChatPrompt(turns), isChat: true).ConfigureAwait(false);
    }

    private async Task TextAsync(HttpContext context)
    {
        var request = await RequestBody.ReadAsync(context, OpenAIJson.Default.TextCompletionRequest).ConfigureAwait(false);
        Check(request);
        var prompt = ConversationMapping.ToPrompt(request.Prompt);
        await CompleteAsync(context, request, generator.RawPrompt(prompt), isChat: false).ConfigureAwait(false);
    }

    private Task CompleteAsync(
        HttpContext context, CompletionRequest request, ImmutableArray<int> promptTokens, bool isChat)
    {
        if (promptTokens.IsEmpty)
        {
            throw RequestRefusedException.Invalid("The field 'prompt' is empty: expected at least one token.", "prompt");
        }

        var stopStrings = ConversationMapping.ToStopStrings(request.Stop);
        var generation = GenerationMapping.ToRequest(request, promptTokens, isChat ? 0 : DefaultTextTokens);
        var logprobs = LogprobsShape.Create(request, generator.Tokenizer);
        var shape = new CompletionShape(isChat, target, promptTokens.Length, time.GetUtcNow(), logprobs);
        var writer = new CompletionWriter(context, shape);
        OpenAILog.Started(logger, promptTokens.Length, request.Stream == true);
        var updates = MarkAsync(generator.GenerateAsync(generation, stopStrings, context.RequestAborted), shape);
        return request.Stream == true
            ? writer.StreamAsync(updates, request.StreamOptions?.IncludeUsage == true)
            : writer.WriteWholeAsync(updates);
    }

    /// <summary>Where the target is lost and the draft model alone goes on, the answer says so from there on.</summary>
    private async IAsyncEnumerable<TextUpdate> MarkAsync(IAsyncEnumerable<TextUpdate> updates, CompletionShape shape)
    {
        var (targetTokens, isDegraded) = (0, false);
        await foreach (var update in updates.ConfigureAwait(false))
        {
            if (update.Round.Loss is null)
            {
                targetTokens += update.Round.Tokens.Length;
            }
            else if (!isDegraded)
            {
                isDegraded = true;
                var degradation = new Degradation(targetTokens, update.Round.Loss.ToString());
                shape.Degrade(generator.FallbackModel!, degradation);
                OpenAILog.Degraded(logger, targetTokens, degradation.Reason);
            }

            yield return update;
        }
    }

    private void Check(CompletionRequest request)
    {
        OtherParameters.Check(request.Others);
        CheckModel(request.Model);
        if (request.StreamOptions is not null && request.Stream != true)
        {
            throw RequestRefusedException.Invalid(
                "The field 'stream_options' is only allowed with 'stream': true.", "stream_options");
        }
    }

    private void CheckModel(string? model)
    {
        if (model is not null && !TargetNames.Match(model, target.TargetId))
        {
            throw new RequestRefusedException(
                StatusCodes.Status404NotFound,
                new ApiError(
                    $"The model '{model}' is not served here: expected '{target.TargetId}'. GET /v1/models lists it.",
                    "invalid_request_error",
                    "model",
                    "model_not_found"));
        }
    }
}
