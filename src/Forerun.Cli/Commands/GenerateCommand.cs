using System.CommandLine;
using Forerun.Cli.Running;
using Forerun.Cloud;
using Forerun.Core.Decoding;
using Forerun.Edge;
using Forerun.Inference;

namespace Forerun.Cli.Commands;

/// <summary><c>forerun generate</c>: the target alone, on this machine.</summary>
internal static class GenerateCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var options = new CommonOptions();
        var prompt = new Argument<string>("prompt") { Description = "What to say to the model." };
        var command = new Command("generate", "Generate text with the target alone, on this machine.") { prompt, options.Model };
        options.AddGeneration(command);
        options.AddEngine(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            using var target = LanguageModel.Load(BundledModels.Target(parsed.GetValue(options.Model)), options.Engine(parsed));
            using var scheduler = new VerificationScheduler(target);
            var run = new GenerationRun(new EdgeDecoder(new LocalVerifier(scheduler)), target.Tokenizer);
            var request = options.Request(parsed, target.TextFormat, parsed.GetRequiredValue(prompt), DecodingMode.Autoregressive);
            var output = new GenerationOutput(parsed.GetValue(options.Json));
            return await output.ShowAsync(run, target.Id, request, cancellationToken);
        });
        return command;
    }
}
