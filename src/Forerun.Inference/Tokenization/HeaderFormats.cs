namespace Forerun.Inference.Tokenization;

/// <summary>What the templates of Llama 3 write: a header with the role before every turn.</summary>
internal static class HeaderFormats
{
    /// <summary>The date the templates of Llama 3.1 and 3.2 write when nobody gives another one.</summary>
    private const string Date = "26 Jul 2024";

    /// <summary>Llama 3.</summary>
    /// <param name="alwaysPrompts">Whether the assistant's turn is opened even when that is not wanted.</param>
    public static ChatFormat Llama3(bool alwaysPrompts) => (conversation, writer) =>
    {
        for (var i = 0; i < conversation.Messages.Count; i++)
        {
            if (i == 0)
            {
                writer.Begin();
            }

            WriteTurn(conversation.Messages[i], writer);
        }

        WritePrompt(alwaysPrompts || conversation.AddGenerationPrompt, writer);
    };

    /// <summary>Llama 3.1 and 3.2: a system turn always comes first, with two dates.</summary>
    public static void Llama31(Conversation conversation, ConversationWriter writer)
    {
        var system = conversation.FirstSystemText();
        writer.Begin().Template("<|start_header_id|>system<|end_header_id|>\n\n")
            .Template($"Cutting Knowledge Date: December 2023\nToday Date: {Date}\n\n")
            .Content(PythonText.Strip(system ?? "")).Template("<|eot_id|>");
        foreach (var message in conversation.Messages.Skip(system is null ? 0 : 1))
        {
            WriteTurn(message, writer);
        }

        WritePrompt(conversation.AddGenerationPrompt, writer);
    }

    private static void WriteTurn(ChatMessage message, ConversationWriter writer) =>
        writer.Template($"<|start_header_id|>{message.Role}<|end_header_id|>\n\n")
            .Content(PythonText.Strip(message.Content)).Template("<|eot_id|>");

    private static void WritePrompt(bool isWanted, ConversationWriter writer)
    {
        if (isWanted)
        {
            writer.Template("<|start_header_id|>assistant<|end_header_id|>\n\n");
        }
    }
}
